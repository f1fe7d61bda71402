/** @file Creates each kernel record once: the pipeline cache identifies kernels by their records. */

type Argument = string | number | boolean | undefined;

/** `make`, called once per list of arguments. Trailing arguments that are missing, 0 or false count as the same. */
export function memo<A extends readonly Argument[], R>(make: (...args: A) => R): (...args: A) => R {
  const made = new Map<string, R>();
  return (...args) => {
    const key = args.slice(0, args.findLastIndex(Boolean) + 1).join(' ');
    let record = made.get(key);
    if (record === undefined) {
      record = make(...args);
      made.set(key, record);
    }
    return record;
  };
}
