/** @file Requests and reads that failed, as errors with a remedy. */
import { abortedError, LabError } from '../errors';

/** A failed request or read as a LabError; a cancelled one as 'aborted'. */
export function networkError(what: string, thrown: unknown): LabError {
  if (thrown instanceof LabError) return thrown;
  if (thrown instanceof Error && thrown.name === 'AbortError') return abortedError('The load');
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  if (thrown instanceof DOMException && /^Not(Readable|Found)Error$/.test(thrown.name)) {
    return new LabError(
      'bad-source',
      `${what} cannot be read (${reason}): the file was changed or moved after you chose it.`,
      'Choose the files again.',
      { cause: thrown },
    );
  }
  return new LabError(
    'network',
    `${what}: the request failed (${reason}).`,
    'Check the connection and that the server allows this page to read it (CORS), then load again.',
    { cause: thrown },
  );
}

/** For a connection on which nothing came for `silence` ms. */
export function silentError(what: string, silence: number): LabError {
  return networkError(what, new Error(`the server sent nothing for ${Math.round(silence / 1000)} s`));
}
