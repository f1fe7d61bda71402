/** @file What IndexedDB says, in our words: free space, key ranges, errors. */
import { LabError } from '../errors';

export type Estimate = () => Promise<StorageEstimate>;

/** All keys that begin with these parts: an array sorts after every string and number. */
export function allUnder(...parts: string[]): IDBKeyRange {
  return IDBKeyRange.bound([...parts], [...parts, []]);
}

/** Bytes that the browser would still give; null where it does not tell. */
export async function freeBytes(estimate: Estimate | undefined): Promise<number | null> {
  const { quota, usage } = (await estimate?.().catch(() => null)) ?? {};
  return quota === undefined || usage === undefined ? null : Math.max(0, quota - usage);
}

/** A rejected storage operation as a LabError; for `.catch`. */
export function asStorageError(what: string): (thrown: unknown) => never {
  return (thrown) => {
    if (thrown instanceof LabError) throw thrown;
    if (isQuotaError(thrown)) throw quotaError(what, null, null, { cause: thrown });
    const reason = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    throw new LabError(
      'storage',
      `${what}: the browser's storage refused (${reason}).`,
      'Allow this site to store data (private windows often forbid it), then reload the page.',
      { cause: thrown },
    );
  };
}

/** The storage is full: what was needed and what there is, in bytes; null where unknown. */
export function quotaError(
  what: string,
  needed: number | null,
  free: number | null,
  {
    cause,
    remedy = 'Forget a stored model or free disk space, then load again.',
  }: { cause?: unknown; remedy?: string } = {},
): LabError {
  const need = needed === null ? 'more space than there is' : `${formatBytes(needed)} (${needed} bytes)`;
  const have = free === null ? '' : `; available by the browser's estimate: ${formatBytes(free)} (${free} bytes)`;
  return new LabError('quota', `${what}: needed ${need}${have}. Stored models are untouched.`, remedy, { cause });
}

export function isQuotaError(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'QuotaExceededError';
}

/** A size for users, e.g. '1.5 GiB'. */
export function formatBytes(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
