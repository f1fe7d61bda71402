/** @file Requests to the browser that a driver may never answer. */
import { LabError } from '../../errors';

/** No answer came in time; `answered` resolves if one comes after all. */
export class NoAnswer extends LabError {
  readonly answered: Promise<void>;

  constructor(what: string, seconds: number, question: Promise<unknown>) {
    super(
      'no-webgpu',
      `${what}: the browser did not respond within ${seconds} s.`,
      'Everything that needs no GPU still works. Restart the browser or update the graphics driver to get WebGPU.',
    );
    this.answered = new Promise((resolve) => {
      question.then(
        () => resolve(),
        () => undefined, // a refusal that comes late is no answer that one could use
      );
    });
  }
}

/** How long a driver may take to start on a busy machine, ms. */
export const answerMs = 15_000;

/** The answer to `question`; rejects with NoAnswer if none comes within `milliseconds`. `what` names the request in the error. */
export async function answerOf<T>(question: Promise<T>, what: string, milliseconds = answerMs): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer(what, milliseconds / 1000, question)), milliseconds);
  });
  try {
    return await Promise.race([question, silence]);
  } finally {
    clearTimeout(timer);
  }
}
