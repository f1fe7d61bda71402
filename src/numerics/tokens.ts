/** @file The name for what models read. */

/** Token ids of texts, [sequences][tokens]: each sequence is scored on its own, with positions from 0. */
export type TokenSequences = readonly (readonly number[])[];
