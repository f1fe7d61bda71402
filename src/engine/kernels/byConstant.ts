/** @file Records that differ in the value of an `override` constant. */

/**
 * A record per value, the shader's own 0 unless given, made when first asked for: the pipeline cache needs one identity for
 * each, and where nobody asks for another value there is none.
 */
export function byConstant<K>(make: (value: number) => K): (value?: number) => K {
  const made = new Map<number, K>();
  return (value = 0) => {
    let record = made.get(value);
    if (record === undefined) {
      record = make(value);
      made.set(value, record);
    }
    return record;
  };
}
