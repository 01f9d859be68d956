/** The answer that the executable gives by default: `Vrypt`, to everything. */
import type { Handler } from '../engine/handler.ts';
import { textAnswer } from '../http/answer.ts';

const answer = textAnswer('Vrypt');

export const vrypt: Handler = () => answer;
