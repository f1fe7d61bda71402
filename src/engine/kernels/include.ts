/** @file Lines that several WGSL files share within a function; whole files are joined instead. */
import result16x8 from '../../../shaders/linear/result_16x8.wgsl?raw';
import result16x16 from '../../../shaders/linear/result_16x16.wgsl?raw';
import sums16x8 from '../../../shaders/linear/sums_16x8.wgsl?raw';
import sums16x16 from '../../../shaders/linear/sums_16x16.wgsl?raw';

const shared: Readonly<Record<string, string>> = {
  result_16x8: result16x8,
  result_16x16: result16x16,
  sums_16x8: sums16x8,
  sums_16x16: sums16x16,
};

/** The code with each line `// include NAME` replaced by the lines of that name. */
export function include(code: string): string {
  return code.replace(/^ *\/\/ include (\w+)\n/gm, (_, name: string) => {
    const lines = shared[name];
    if (lines === undefined) throw new RangeError(`no lines of WGSL are called ${name}`);
    return lines;
  });
}
