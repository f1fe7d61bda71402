/** @file The tokens of this session, by the Hub that each is for: in the worker's memory, and nowhere else. */
import { LabError } from '../../errors';

export class Tokens {
  readonly #byHub = new Map<string, string>();

  /**
   * Calls `work` with the token that serves for a Hub: the given one, else one that served before. A token that opened
   * something serves for the rest of the session; one that the Hub refused, or that opened nothing, is not sent again.
   */
  async serving<T>(
    hub: string,
    given: string | undefined,
    work: (token: string | undefined) => Promise<T>,
  ): Promise<T> {
    const token = given ?? this.#byHub.get(hub);
    try {
      const result = await work(token);
      if (token !== undefined) this.#byHub.set(hub, token);
      return result;
    } catch (thrown) {
      const refused = thrown instanceof LabError && thrown.code === 'gated';
      if (refused && this.#byHub.get(hub) === token) this.#byHub.delete(hub);
      throw thrown;
    }
  }
}
