/**
 * @file What the page's address says about the engine, for comparisons and tests: `?kernel=subgroup`, `?precision=half`,
 * `?memory=512` (MB of the GPU's memory for weights and kept states).
 */

export interface EngineSettings {
  /** The tile of every product that can run in it; the engine refuses a name that the adapter does not run. */
  readonly kernel?: string;
  /** Products in f16 may be chosen where the adapter has them: scores change a little, and say so. */
  readonly halfPrecision?: boolean;
  /** A hardware adapter's kernels are measured in the background once, unasked. */
  readonly tuneUnasked?: boolean;
  /** Memory of the GPU for weights and for what a backward pass keeps, bytes; as much as there is where it is absent. */
  readonly memoryBytes?: number;
}

/** Settings of an address's query. Where one forces a kernel, nothing is measured unasked. */
export function engineSettings(query: string): EngineSettings {
  const asked = new URLSearchParams(query);
  const kernel = asked.get('kernel');
  const megabytes = Number(asked.get('memory'));
  return {
    ...(kernel === null ? {} : { kernel }),
    halfPrecision: asked.get('precision') === 'half' || kernel === 'f16',
    tuneUnasked: kernel === null,
    ...(megabytes > 0 ? { memoryBytes: megabytes * 1e6 } : {}),
  };
}
