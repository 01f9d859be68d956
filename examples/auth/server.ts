/**
 * Accounts: passwords hashed by scrypt, sessions as signed tokens (JWT) in a cookie. Answers Vanilla's `auth` example.
 *
 *     SECRET=$(openssl rand -hex 32) node examples/auth/server.ts
 *     curl -c jar -d '{"name":"ada","password":"correct horse"}' localhost:3000/register
 *     curl -b jar localhost:3000/me
 */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { jwtVerify, SignJWT } from 'jose';
import { type Call, json, parseCookies, RequestError, reply, serve, setCookie } from 'vrypt-server';

/** 16 MiB and about 50 ms for each guess: what OWASP recommends at the least. */
const COST: ScryptOptions = { N: 2 ** 14, r: 8, p: 5, maxmem: 64 * 1024 * 1024 };
const hash = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt);
const SECONDS = 3600;
const secret = process.env['SECRET'] === undefined ? randomBytes(32) : Buffer.from(process.env['SECRET'], 'hex');
if (secret.length < 32) throw new Error('SECRET must be at least 32 bytes in hex');
const COOKIE = '__Host-session';

interface Account {
  readonly salt: Buffer;
  readonly hash: Buffer;
}
const accounts = new Map<string, Account>();
/** Checked for unknown names, so that the time taken does not tell which names exist. */
const nobody: Account = { salt: randomBytes(16), hash: randomBytes(32) };

const server = serve({
  port: Number(process.env['PORT'] ?? 3000),
  handleSignals: true,
  limits: { maxBodySize: 4096 },
  routes: {
    '/register': {
      POST: async (call) => {
        const { name, password } = await credentials(call);
        if (name === '' || password.length < 12)
          return json({ error: 'a password must have at least 12 characters' }, 422);
        const salt = randomBytes(16);
        const hashed = await hash(password, salt, 32, COST);
        if (accounts.has(name)) return json({ error: 'the name is taken' }, 409);
        accounts.set(name, { salt, hash: hashed });
        return json({ name }, 201, { 'Set-Cookie': await sessionOf(name) });
      },
    },
    '/login': {
      POST: async (call) => {
        const { name, password } = await credentials(call);
        const account = accounts.get(name) ?? nobody;
        const isRight = timingSafeEqual(await hash(password, account.salt, 32, COST), account.hash);
        if (!isRight) return json({ error: 'the name or the password is wrong' }, 401);
        return json({ name }, 200, { 'Set-Cookie': await sessionOf(name) });
      },
    },
    '/logout': { POST: () => reply(204, { 'Set-Cookie': session('', 0) }) },
    '/me': async (call) => {
      const name = await userOf(call);
      return name === null ? json({ error: 'please log in' }, 401) : json({ name });
    },
  },
  error: (error) => (error instanceof RequestError ? json({ error: error.message }, error.status) : undefined),
});
server.ready.then(({ url }) => console.log(`listening on ${url}`));

async function credentials(call: Call): Promise<{ name: string; password: string }> {
  const given = await call.body.json<{ name?: unknown; password?: unknown } | null>();
  const { name, password } = given ?? {};
  return { name: typeof name === 'string' ? name : '', password: typeof password === 'string' ? password : '' };
}

async function sessionOf(name: string): Promise<string> {
  const token = new SignJWT().setProtectedHeader({ alg: 'HS256' }).setSubject(name).setIssuedAt();
  return session(await token.setExpirationTime(`${SECONDS}s`).sign(secret), SECONDS);
}

/** Not readable by scripts, not sent by other sites, only over TLS (or localhost), for this host alone. */
function session(token: string, maxAge: number): string {
  return setCookie(COOKIE, token, { path: '/', secure: true, httpOnly: true, sameSite: 'Lax', maxAge });
}

async function userOf(call: Call): Promise<string | null> {
  const token = parseCookies(call.header('cookie')).get(COOKIE);
  if (token === undefined) return null;
  try {
    const { payload } = await jwtVerify(token, secret, { algorithms: ['HS256'] });
    return payload.sub ?? null;
  } catch {
    return null;
  }
}
