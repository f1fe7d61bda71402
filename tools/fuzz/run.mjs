/** @file `npm run fuzz -- 10000 [kind]`: the tests of mutated files with more mutations than `npm test` takes. */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const [count = '10000', kind = ''] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(count)) {
  console.error(`npm run fuzz -- [mutations of each kind] [kind]: expected a whole number, got '${count}'.`);
  process.exit(1);
}
const parameters = ['run', '--project', 'unit', join('tools', 'fuzz', kind)];
const child = spawn(join(root, 'node_modules', '.bin', 'vitest'), parameters, {
  cwd: root,
  stdio: 'inherit',
  shell: process.platform === 'win32',
  env: { ...process.env, SECATEUR_FUZZ: count },
});
child.on('exit', (code) => process.exit(code ?? 1));
