/** Where the benchmark keeps its files. Everything but the committed results is in `build/bench`. */
import path from 'node:path';

export const root: string = path.resolve(import.meta.dirname, '../..');
export const work: string = path.join(root, 'build/bench');
/** Of the reference run: the README's table and chart come from it. */
export const committedResults: string = path.join(import.meta.dirname, 'results.json');
export const committedChart: string = path.join(import.meta.dirname, 'chart.svg');
export const TRIPLE = 'x86_64-unknown-linux-musl';
/** A copy of what the toolchain has packaged. */
export const executable: string = path.join(work, 'vrypt-server');
