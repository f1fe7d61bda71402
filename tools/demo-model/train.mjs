/**
 * @file `node tools/demo-model/train.mjs`: trains the demo model by Secateur's engine on the GPU of this machine, through Dawn. Before
 * it, engine.py writes the start and the rows; after it, export.py --engine writes the model.
 */
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const { module } = await runnerImport(fileURLToPath(new URL('train.ts', import.meta.url)), { logLevel: 'warn' });
await module.main();
// Dawn's threads would keep the process alive.
process.exit(0);
