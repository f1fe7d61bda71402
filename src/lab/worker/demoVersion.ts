/** @file Which demo this build ships: a stored demo of another version is replaced at the next load. */

/** Hash of the files in public/demo, put here by the build (vite.config.ts). */
declare const __DEMO_VERSION__: string;

export const demoVersion: string = __DEMO_VERSION__;
