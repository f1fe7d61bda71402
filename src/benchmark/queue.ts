/** @file One thing at a time: two runs at once on a WebGPU session freeze the worker for good, without an error. */

let last: Promise<unknown> = Promise.resolve();

/** Runs `job` after all earlier ones have settled. Never call this from inside a job. */
export function enqueue<T>(job: () => Promise<T>): Promise<T> {
  const result = last.then(job);
  last = result.catch(() => undefined);
  return result;
}
