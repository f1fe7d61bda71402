/**
 * @file The benches as one Node program without vitest, for a machine that has a GPU and little else:
 *
 *     npx vite build --config bench/bundle.config.ts        # writes bench/dist/bench.mjs
 *     node bench/dist/bench.mjs [forward] [decode] [analysis] [streaming] [precision] [compile] [training] [width] [build]        # there, beside node_modules/webgpu and node_modules/onnxruntime-web
 */
import { benchAnalysis } from './analysis';
import { benchCompile } from './compile';
import { benchDecode } from './decode';
import { benchForward } from './forward';
import { onTestDevice } from './harness';
import { benchOffloading } from './offloading';
import { benchPrecision } from './precision';
import { benchTraining } from './training';
import { benchWidth } from './width';
import { benchWidthBuild } from './widthBuild';

const benches = {
  forward: benchForward,
  decode: benchDecode,
  analysis: benchAnalysis,
  streaming: benchOffloading,
  precision: benchPrecision,
  compile: benchCompile,
  training: benchTraining,
  width: benchWidth,
  build: benchWidthBuild,
};

const asked = process.argv.slice(2);
const stray = asked.find((name) => !(name in benches));
if (stray !== undefined) throw new Error(`bench: expected ${Object.keys(benches).join(' or ')}, got '${stray}'.`);
for (const [name, bench] of Object.entries(benches)) {
  if (asked.length === 0 || asked.includes(name)) await onTestDevice(bench);
}
// Dawn's threads would keep the process alive.
process.exit(0);
