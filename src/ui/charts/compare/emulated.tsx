/** @file The label beside every time of a software adapter. */

export const emulated = 'emulated GPU: times prove nothing about real GPUs';

export function Emulated() {
  return <span className="badge software">{emulated}</span>;
}
