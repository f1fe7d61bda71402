/** @file The thread of a tokenizer (tokenizerThread.ts). */
import { serveThread } from './thread';
import { tokenizerMethods } from './tokenizerThread';

serveThread(self as unknown as Worker, tokenizerMethods());
