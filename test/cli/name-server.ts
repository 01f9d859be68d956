/** A name server on loopback that answers from a table, or not at all. Owns its socket. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export interface Zone {
  readonly [name: string]: { readonly A?: readonly string[]; readonly AAAA?: readonly string[]; readonly ttl: number };
}

const TYPES = { 1: 'A', 28: 'AAAA' } as const;

export class NameServer {
  /** "A name", in order of arrival. */
  readonly questions: string[] = [];
  readonly #socket: Socket;
  readonly #zone: Zone | null;

  private constructor(socket: Socket, zone: Zone | null) {
    this.#socket = socket;
    this.#zone = zone;
    socket.on('message', (query, { port }) => {
      const answer = this.#answer(query);
      if (answer !== null) socket.send(answer, port, '127.0.0.1');
    });
  }

  /** With null as its zone it receives queries but never answers. */
  static async start(zone: Zone | null): Promise<NameServer> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new NameServer(socket, zone);
  }

  /** Its address in the form that c-ares expects. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  close(): void {
    this.#socket.close();
  }

  /** RFC 1035 §4.1. */
  #answer(query: Buffer): Buffer | null {
    const labels: string[] = [];
    let end = 12;
    for (let length = query[end] as number; length > 0; length = query[end] as number) {
      labels.push(query.toString('latin1', end + 1, end + 1 + length));
      end += length + 1;
    }
    const type = TYPES[query.readUInt16BE(end + 1) as 1 | 28];
    const name = labels.join('.').toLowerCase();
    this.questions.push(`${type} ${name}`);
    if (this.#zone === null) return null;
    const entry = this.#zone[name];
    const addresses = entry?.[type] ?? [];
    const head = Buffer.from(query.subarray(0, end + 5));
    // Response, recursion desired and available; NXDOMAIN if the name is not in the zone.
    head.writeUInt16BE(entry === undefined ? 0x8183 : 0x8180, 2);
    head.writeUInt16BE(addresses.length, 6);
    head.writeUInt32BE(0, 8);
    const records = addresses.map((address) => {
      const data = type === 'A' ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address);
      const record = Buffer.alloc(12);
      record.writeUInt16BE(0xc00c, 0);
      record.writeUInt16BE(type === 'A' ? 1 : 28, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt32BE(entry?.ttl ?? 0, 6);
      record.writeUInt16BE(data.length, 10);
      return Buffer.concat([record, data]);
    });
    return Buffer.concat([head, ...records]);
  }
}

function ipv6Bytes(address: string): Buffer {
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array<string>(address.includes('::') ? missing : 0).fill('0'), ...groups(tail)];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}
