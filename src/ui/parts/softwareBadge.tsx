/** @file The label beside every time of a software adapter. */
import { softwareWarning } from './names';

export function SoftwareBadge() {
  return <span className="badge software">{softwareWarning}</span>;
}
