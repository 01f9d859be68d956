/** A value that nobody prints by accident: an object, so that no message shows it as text. */
export interface Secret {
  readonly secret: string;
}

/** Stands for a secret wherever a configuration is shown. */
export const MASK = '***';
