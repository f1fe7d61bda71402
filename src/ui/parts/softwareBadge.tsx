/** @file The label that stands wherever a software adapter's time is shown. */
import { softwareWarning } from './names';

export function SoftwareBadge() {
  return <span className="badge software">{softwareWarning}</span>;
}
