/** The pages of the examples in a real browser, headless. Needs Debian's chromium. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runExample } from './run-example.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 });

const PROGRAM = '/usr/bin/chromium';
// It talks to nobody but the servers under test.
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const isInstalled = existsSync(PROGRAM);
if (!isInstalled) console.error('NOT TESTED: pages in a browser. Install Chromium: apt-get install chromium');

describe.skipIf(!isInstalled)('in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: PROGRAM, args: FLAGS });
  });
  afterAll(() => browser?.close());

  const open = async (url: string): Promise<Page> => {
    const page = await browser.newPage();
    page.on('pageerror', (error) => {
      throw error;
    });
    await page.goto(url);
    await state(page, 'connected');
    return page;
  };

  test('sse: what one publishes the others see, nothing twice, and on the next server too', async () => {
    const first = await runExample('sse');
    const [one, other] = [await open(first.url), await open(first.url)];
    await publish(one, 'Hello');
    await listed(other, ['Hello']);
    await fetch(`${first.url}news`, { method: 'POST', body: 'two\nlines' });
    await listed(one, ['Hello', 'two\nlines']);
    expect(await missed(`${first.url}news`, '1')).toBe('event: news\nid: 2\nretry: 1000\ndata: two\ndata: lines\n\n');
    await first.stop();
    await state(other, 'reconnecting');
    const { port } = new URL(first.url);
    const second = await runExample('sse', { PORT: port });
    await state(other, 'connected');
    await publish(other, 'again');
    await listed(other, ['Hello', 'two\nlines', 'again']);
    await Promise.all([one.close(), other.close()]);
    await second.stop();
  });

  test('chat: rooms, people who come and go, and a server that is replaced', async () => {
    const first = await runExample('chat');
    const ada = await open(`${first.url}?room=tea&name=Ada`);
    const bob = await open(`${first.url}?room=tea&name=Bob`);
    const eve = await open(`${first.url}?room=coffee&name=Eve`);
    await publish(bob, 'Good morning! ☕');
    await listed(ada, ['Ada is here', 'Bob is here', 'Bob: Good morning! ☕']);
    await bob.close();
    await listed(ada, ['Ada is here', 'Bob is here', 'Bob: Good morning! ☕', 'Bob has left']);
    expect(await texts(eve)).toEqual(['Eve is here']);
    await first.stop();
    await state(ada, 'reconnecting');
    const second = await runExample('chat', { PORT: new URL(first.url).port });
    await state(ada, 'connected');
    await publish(ada, 'back');
    await vi.waitFor(async () => expect((await texts(ada)).at(-1)).toBe('Ada: back'), { timeout: 30_000 });
    await Promise.all([ada.close(), eve.close()]);
    await second.stop();
  });
});

async function state(page: Page, text: string): Promise<void> {
  await page.waitForFunction(`document.getElementById('state').textContent === ${JSON.stringify(text)}`);
}

/** What a client that reconnects is sent first. */
async function missed(url: string, lastEventId: string): Promise<string> {
  const answer = await fetch(url, { headers: { 'Last-Event-ID': lastEventId } });
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return new TextDecoder().decode(value);
}

async function publish(page: Page, text: string): Promise<void> {
  await page.fill('input[name=text]', text);
  await page.click('button');
}

function texts(page: Page): Promise<string[]> {
  return page.locator('li').allTextContents();
}

async function listed(page: Page, expected: readonly string[]): Promise<void> {
  await vi.waitFor(async () => expect(await texts(page)).toEqual(expected), { timeout: 30_000 });
}
