/** Whether a client is still there: when it last sent something, when it last took something, and whether it was pinged since. */

export const Verdict = { alive: 0, ping: 1, dead: 2 } as const;
export type VerdictValue = (typeof Verdict)[keyof typeof Verdict];

export class Liveness {
  /** The client has taken some of what was waiting, as of the last look. */
  isTaking = false;
  /** On the engine's clock: when the client last sent or took something; when it last took something or had nothing to take. */
  #aliveAt: number;
  #takenAt: number;
  #isPinged = false;
  /** As of the last look. */
  #pendingBytes = 0;
  #writeCount = 0;

  constructor(now: number) {
    this.#aliveAt = now;
    this.#takenAt = now;
  }

  /** The client has sent something, or has not been read. */
  renew(now: number): void {
    this.#aliveAt = now;
    this.#isPinged = false;
  }

  /** Notes how far sending has come. */
  look(now: number, pendingBytes: number, writeCount: number, sendPings: boolean): void {
    const hasWritten = writeCount !== this.#writeCount;
    this.isTaking = pendingBytes > 0 && (hasWritten || pendingBytes !== this.#pendingBytes);
    this.#pendingBytes = pendingBytes;
    this.#writeCount = writeCount;
    if (this.isTaking || pendingBytes === 0) this.#takenAt = now;
    // A client that takes a long message slowly cannot answer a ping behind it. Without pings, sending to it must do.
    if (this.isTaking || (hasWritten && !sendPings)) this.#aliveAt = now;
  }

  /** `isRead`: we are reading from the client, so silence means something. */
  judge(now: number, idleTimeoutMs: number, sendPings: boolean, isRead: boolean): VerdictValue {
    const quietMs = now - this.#aliveAt;
    if ((quietMs >= idleTimeoutMs && isRead) || now - this.#takenAt >= idleTimeoutMs) return Verdict.dead;
    if (!sendPings || this.#isPinged || quietMs < idleTimeoutMs / 2) return Verdict.alive;
    this.#isPinged = true;
    return Verdict.ping;
  }
}
