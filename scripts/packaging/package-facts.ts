/** What a system package says of the program inside, and what it holds: facts, from which deb, rpm, apk and image are made. */
import type { CommandLine } from './command-line.ts';

export interface PackageFacts {
  readonly name: string;
  readonly version: string;
  /** Seconds since 1970, of the commit. */
  readonly time: number;
  readonly about: About;
  /** undefined: there is no manual page and there are no completions. */
  readonly commandLine: CommandLine | undefined;
  readonly executable: Uint8Array;
  readonly texts: Texts;
}

/** From the description of the program. */
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
  /** It says when it listens (NOTIFY_SOCKET). */
  readonly notifies: boolean;
  /** Commented examples for its environment file: `VRYPT_PORT=8080`. */
  readonly environment: readonly string[];
}

export interface Texts {
  readonly license: string;
  readonly thirdParty: string;
  readonly readme: string;
  readonly changelog: string;
}
