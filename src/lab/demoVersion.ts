/** @file Which demo this build ships: a stored demo of another version is replaced at the next load. */

/** Hash of the demo's files; `demoVersion.test.ts` says the new one when they change. */
export const demoVersion = 'unset';
