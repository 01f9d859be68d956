/** What the executable serves by default, as a handler. */
import { loadApp } from '../src/app/load-app.ts';
import { VRYPT } from '../src/app/source.ts';

export const vrypt = await loadApp(VRYPT);
