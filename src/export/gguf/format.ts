/** @file The format 'gguf' in the registry. */
import type { ExportedVariant, ExportFormat } from '../exported';
import { isRefusal, layoutOf, needsNewRelease } from './layout';
import { unquantized } from './tensors';

/** Which engines run the file, and what 'q8_0' leaves as it is. */
function runsIn({ shape }: ExportedVariant): string {
  const layout = layoutOf(shape);
  if (isRefusal(layout)) return 'No engine that reads GGUF runs this variant.';
  const version = needsNewRelease(shape, layout)
    ? ' Its biases of queries, keys or values need llama.cpp b8948 or newer.'
    : '';
  const engines = `llama.cpp, and what is built on it: Ollama, LM Studio, wllama in a browser. The architecture is '${layout.architecture}'.${version}`;
  const left = unquantized(shape, layout);
  if (left === 0) return engines;
  return `${engines} With q8_0, ${left} ${left === 1 ? 'matrix stays' : 'matrices stay'} f16, since rows that are no multiples of 32 cannot be quantized: roundTo 32 avoids that.`;
}

export const gguf: ExportFormat = {
  id: 'gguf',
  label: 'GGUF file',
  dtypes: ['f16', 'f32', 'q8_0'],
  runsIn,
  refusal({ shape }) {
    const layout = layoutOf(shape);
    return isRefusal(layout) ? layout : null;
  },
  load: () => import('./write'),
};
