/** @file A short name for bytes: FNV-1a, 64 bits. It distinguishes data; it is not safe against attackers. */

/**
 * FNV-1a (Fowler, Noll, Vo) over `bytes`, as 16 hexadecimal digits.
 * Synchronous and free of WebCrypto, which pages without a secure context lack.
 */
export function hashBytes(bytes: Uint8Array): string {
  // The 64-bit state in four 16-bit limbs, low first: products of two stay exact in a double.
  let a = 0x2325;
  let b = 0x8422;
  let c = 0x9ce4;
  let d = 0xcbf2;
  for (const byte of bytes) {
    a ^= byte;
    // The prime is 2^40 + 0x1b3: a limb moves up by 40 bits = two limbs and 8 bits.
    const p0 = a * 0x1b3;
    const p1 = b * 0x1b3 + (p0 >>> 16);
    const p2 = c * 0x1b3 + ((a << 8) & 0xffff) + (p1 >>> 16);
    const p3 = d * 0x1b3 + (a >>> 8) + ((b << 8) & 0xffff) + (p2 >>> 16);
    a = p0 & 0xffff;
    b = p1 & 0xffff;
    c = p2 & 0xffff;
    d = p3 & 0xffff;
  }
  return [d, c, b, a].map((limb) => limb.toString(16).padStart(4, '0')).join('');
}

/** Hash of a text's UTF-8 bytes. */
export function hashText(text: string): string {
  return hashBytes(new TextEncoder().encode(text));
}
