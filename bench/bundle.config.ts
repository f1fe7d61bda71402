import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** One file for Node; what has binaries stays outside. */
export default defineConfig({
  publicDir: false,
  ssr: { noExternal: true, external: ['webgpu', 'onnxruntime-web'] },
  build: {
    ssr: fileURLToPath(new URL('main.ts', import.meta.url)),
    outDir: fileURLToPath(new URL('dist', import.meta.url)),
    target: 'es2023',
    rollupOptions: { output: { entryFileNames: 'bench.mjs' } },
  },
});
