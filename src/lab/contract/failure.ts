/** @file A LabError as plain data: it crosses to the page and rests in a store, where a class would lose its fields. */
import { LabError, toLabError } from '../../errors';

export interface Failure {
  code: LabError['code'];
  message: string;
  remedy: string;
}

export function toFailure(thrown: unknown): Failure {
  const { code, message, remedy } = toLabError(thrown);
  return { code, message, remedy };
}

export function fromFailure({ code, message, remedy }: Failure): LabError {
  return new LabError(code, message, remedy);
}
