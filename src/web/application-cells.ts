/** How applications are doing: written by the thread that runs them, read by all workers from shared memory. */
import type { WebConfig } from './config/web-config.ts';

/** For each application, copies included, in the order of the configuration: PID (0: none), restarts, whether it is up. */
export type ApplicationCells = Int32Array<SharedArrayBuffer>;

const FIELDS = 3;

export interface ApplicationState {
  readonly name: string;
  readonly pid: number;
  readonly restarts: number;
  readonly isUp: boolean;
}

export function makeApplicationCells({ backends }: WebConfig): ApplicationCells {
  return new Int32Array(new SharedArrayBuffer(4 * FIELDS * namesOf(backends).length));
}

export function writeApplication(
  cells: ApplicationCells,
  index: number,
  { pid, restarts, isUp }: Omit<ApplicationState, 'name'>,
): void {
  cells[FIELDS * index] = pid;
  cells[FIELDS * index + 1] = restarts;
  cells[FIELDS * index + 2] = isUp ? 1 : 0;
}

export function readApplications(cells: ApplicationCells, { backends }: WebConfig): ApplicationState[] {
  return namesOf(backends).map((name, index) => ({
    name,
    pid: cells[FIELDS * index] as number,
    restarts: cells[FIELDS * index + 1] as number,
    isUp: cells[FIELDS * index + 2] === 1,
  }));
}

/** As messages have them. */
export function instanceName(name: string, instances: number, index: number): string {
  return instances === 1 ? name : `${name} (${index + 1})`;
}

function namesOf(backends: WebConfig['backends']): string[] {
  return Object.values(backends).flatMap(({ name, process: config }) =>
    config === null
      ? []
      : Array.from({ length: config.instances }, (_, index) => instanceName(name, config.instances, index)),
  );
}
