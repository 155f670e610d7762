/** A usage error: shown as one line, with exit code 2. Not part of the library's API. */
export class UsageError extends Error {
  static {
    this.prototype.name = 'UsageError';
  }
}
