import { expect, test, vi } from 'vitest';
import { type Reading, readFailure, readInPieces } from './externalData';

const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
const newReading = (): Reading => ({ alive: vi.fn(), failure: null });

/** Reads as the JSPI build does: a reader into a given buffer, and another where there is none. */
async function readAsOrt(blob: Blob, begin: number, end: number): Promise<Uint8Array> {
  const stream = blob.slice(begin, end).stream();
  let reader: { read(): Promise<{ done: boolean; value?: Uint8Array | undefined }> };
  try {
    reader = stream.getReader({ mode: 'byob' }) as unknown as typeof reader;
  } catch {
    reader = stream.getReader();
  }
  const got: number[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Uint8Array.from(got);
    got.push(...value!);
  }
}

test('what the runtime gets is a Blob with the same bytes, and every piece is a sign of life', async () => {
  const reading = newReading();
  const blob = readInPieces(new Blob([bytes.subarray(0, 40), bytes.subarray(40)]), 'w.bin', reading);
  expect(blob).toBeInstanceOf(Blob);
  expect(blob.size).toBe(100);
  expect([...(await readAsOrt(blob, 30, 60))]).toEqual([...bytes.subarray(30, 60)]);
  expect([...(await readAsOrt(blob, 0, 0))]).toEqual([]);
  expect([...new Uint8Array(await blob.arrayBuffer())]).toEqual([...bytes]);
  expect(reading.alive).toHaveBeenCalledTimes(1);
});

test('a piece that cannot be read keeps its reason, whatever the runtime makes of it', async () => {
  const reading = newReading();
  const reason = new DOMException('The requested file could not be read', 'NotReadableError');
  const spoilt = new Blob([bytes]);
  const { slice } = spoilt;
  spoilt.slice = (...range) => {
    const part = slice.apply(spoilt, range);
    part.slice = () => Object.assign(new Blob(), { arrayBuffer: () => Promise.reject(reason) });
    return part;
  };
  await expect(readAsOrt(readInPieces(spoilt, 'w.bin', reading), 0, 10)).rejects.toBe(reason);
  const said = new Error('Deserialize tensor failed. error: Unknown error occurred in memory copy.');
  expect(readFailure(said, reading)).toMatchObject({
    code: 'storage',
    message: expect.stringMatching(/w\.bin.*NotReadableError: The requested file could not be read/),
  });
});

test('what the loader throws is typed also where no piece told the reason; what is not about reading is left alone', () => {
  const unread: Pick<Reading, 'failure'> = { failure: null };
  const direct = new DOMException('The requested file could not be read', 'NotReadableError');
  expect(readFailure(direct, unread)).toMatchObject({ code: 'storage' }); // the Asyncify build reads whole files
  expect(readFailure('Failed to load external data file ""w"", error: Unknown error', unread)?.code).toBe('storage');
  const full = { failure: { path: 'w', cause: new RangeError('Array buffer allocation failed') } };
  expect(readFailure(new Error('memory copy'), full)?.code).toBe('out-of-memory');
  expect(readFailure(new Error('std::bad_alloc'), unread)).toBeNull();
});
