/** @file The thread of a parquet file (parquetThread.ts). */
import { serveThread } from '../thread';
import { parquetMethods } from './parquetThread';

serveThread(self as unknown as Worker, parquetMethods);
