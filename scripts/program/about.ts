/** What packages say of a program: the part `package` of its description. */

export interface About {
  /** At most 80 characters, without a dot at its end. */
  readonly summary: string;
  /** Paragraphs between empty lines. */
  readonly description: string;
  /** `Name <address>`. */
  readonly maintainer: string;
  readonly homepage: string;
  /** An SPDX expression. */
  readonly license: string;
  /** undefined: not a server. */
  readonly service: Service | undefined;
}

export interface Service {
  readonly args: readonly string[];
  /** Where it listens without settings. */
  readonly port: number;
  /** It takes a socket that systemd listens on (LISTEN_FDS). */
  readonly takesSocket: boolean;
  /** It says when it listens, and again and again that it lives (NOTIFY_SOCKET, WATCHDOG_USEC). */
  readonly notifies: boolean;
  /** Commented examples for its environment file: `VRYPT_PORT=8080`. */
  readonly environment: readonly string[];
}
