/**
 * What systemd gives a service and wants to hear from it: listening sockets (sd_listen_fds(3)) and a socket for messages (sd_notify(3)).
 * Both are taken out of the environment, so that no child believes that they are its own.
 */
import { native } from '../engine/native-binding.ts';

export interface SystemdSocket {
  readonly descriptor: number;
  /** As FileDescriptorName= of its unit says, or the unit's name. */
  readonly name: string;
}

/** The first one, by definition. */
const FIRST_DESCRIPTOR = 3;

/** Whether there are any; costs nothing. */
export function hasSystemdSockets(environment: NodeJS.ProcessEnv = process.env): boolean {
  return environment['LISTEN_FDS'] !== undefined && environment['LISTEN_PID'] === String(process.pid);
}

/** The sockets that systemd has opened for this process, once; none if it was not started by a socket. */
export function takeSystemdSockets(environment: NodeJS.ProcessEnv = process.env): SystemdSocket[] {
  if (!hasSystemdSockets(environment)) return [];
  const count = Number(environment['LISTEN_FDS']);
  const names = environment['LISTEN_FDNAMES']?.split(':') ?? [];
  for (const name of ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']) delete environment[name];
  if (!Number.isInteger(count) || count < 1 || count > 1024) return [];
  return Array.from({ length: count }, (_, index) => ({
    descriptor: FIRST_DESCRIPTOR + index,
    name: names[index] ?? 'unknown',
  }));
}

/** Tells systemd how the service is. */
export interface Notifier {
  /** It serves: `Type=notify` units count as started. From now on the watchdog is fed, if the unit has one. */
  ready(): void;
  stopping(): void;
  close(): void;
}

/** Null if nobody wants to be told. Call it once. `refused` is told why a message cannot be sent. */
export function openNotifier(
  refused: (why: string) => void,
  environment: NodeJS.ProcessEnv = process.env,
): Notifier | null {
  const path = environment['NOTIFY_SOCKET'];
  if (path === undefined || path === '') return null;
  const microseconds = isWatchdogOurs(environment) ? Number(environment['WATCHDOG_USEC']) : 0;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
  if (native === null) {
    refused(
      'NOTIFY_SOCKET cannot be used: only the runtimes of vrypt-server can send there, not this Node; set Type=exec in the unit',
    );
    return null;
  }
  return new DatagramNotifier(path, microseconds / 1000, refused);
}

function isWatchdogOurs(environment: NodeJS.ProcessEnv): boolean {
  const pid = environment['WATCHDOG_PID'];
  return environment['WATCHDOG_USEC'] !== undefined && (pid === undefined || pid === String(process.pid));
}

class DatagramNotifier implements Notifier {
  readonly #path: string;
  /** 0: no watchdog. */
  readonly #watchdogMs: number;
  readonly #refused: (why: string) => void;
  /** Owned: cleared in close(). */
  #timer: NodeJS.Timeout | null = null;

  constructor(path: string, watchdogMs: number, refused: (why: string) => void) {
    this.#path = path;
    this.#watchdogMs = watchdogMs;
    this.#refused = refused;
  }

  ready(): void {
    this.#send(`READY=1\nMAINPID=${process.pid}`);
    if (this.#watchdogMs <= 0 || this.#timer !== null) return;
    // Twice as often as it must be, as sd_watchdog_enabled(3) recommends.
    this.#timer = setInterval(() => this.#send('WATCHDOG=1'), this.#watchdogMs / 2).unref();
  }

  stopping(): void {
    this.#send('STOPPING=1');
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #send(text: string): void {
    const result = native?.sendDatagram(this.#path, text) ?? -1;
    if (result < 0) this.#refused(`NOTIFY_SOCKET ${this.#path} takes no messages (error ${-result})`);
  }
}
