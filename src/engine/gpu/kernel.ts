/**
 * @file A kernel as a record: WGSL, the buffers that it binds, its parameters. The command queue makes every launch from the record.
 *
 * Bind group 0 holds `buffers` in their order, group 1 the parameters, packed in the order of the WGSL struct
 * `Params`. An operation may have several records (weight types, tile sizes); the caller picks one.
 */
import { LabError } from '../../errors';

export type Access = 'read' | 'write';
export type Scalar = 'u32' | 'f32';

export interface Kernel<B extends string = string, P extends string = string> {
  readonly name: string;
  /** Complete WGSL with an entry point `main`. */
  readonly code: string;
  /** Tensors in binding order. 'write' means read and write. */
  readonly buffers: Readonly<Record<B, Access>>;
  /** Fields of the struct `Params`, in order. Sizes in elements. */
  readonly params: Readonly<Record<P, Scalar>>;
  /** Values of `override` constants. */
  readonly constants: Readonly<Record<string, number>>;
  /** Workgroups in x, or in x and y. A single count that is too large for x folds into y. */
  readonly workgroups: (params: Readonly<Record<P, number>>) => readonly [x: number, y?: number];
  /** Floating-point operations of a launch, for kernels whose time depends on them. */
  readonly flops?: (params: Readonly<Record<P, number>>) => number;
}

/** A kernel record; the names of `buffers` and `params` type every launch. */
export function defineKernel<B extends string, P extends string>(
  kernel: Omit<Kernel<B, P>, 'constants'> & { constants?: Kernel['constants'] },
): Kernel<B, P> {
  return { constants: {}, ...kernel };
}

/** Parameters as the bytes of the uniform struct: four per field, little-endian as on every GPU. */
export function packParams<P extends string>(
  kernel: Kernel<string, P>,
  params: Readonly<Record<P, number>>,
): Uint8Array {
  const fields = Object.entries(kernel.params) as [P, Scalar][];
  const view = new DataView(new ArrayBuffer(fields.length * 4));
  fields.forEach(([name, type], index) => {
    const value = params[name];
    if (type === 'f32') view.setFloat32(index * 4, value, true);
    else if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) view.setUint32(index * 4, value, true);
    else {
      throw new LabError(
        'internal',
        `${kernel.name}: parameter ${name} must be a u32, got ${value}`,
        'This is a bug in Secateur: please report it with the console output.',
      );
    }
  });
  return new Uint8Array(view.buffer);
}

/** The grid of a launch; a single long row folds into y because a dimension holds `limit` workgroups at most. */
export function grid(kernel: Kernel, params: Readonly<Record<string, number>>, limit: number): [x: number, y: number] {
  const [x, y] = kernel.workgroups(params);
  if (y === undefined && x > limit) {
    const rows = Math.ceil(x / limit);
    return [Math.ceil(x / rows), rows];
  }
  if (x <= limit && (y ?? 1) <= limit) return [x, y ?? 1];
  throw new LabError(
    'unsupported-limit',
    `${kernel.name}: maxComputeWorkgroupsPerDimension is ${limit}, but ${x} × ${y ?? 1} are needed.`,
    'Use fewer or shorter sequences.',
  );
}
