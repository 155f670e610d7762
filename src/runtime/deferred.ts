/** A promise that is settled from outside: by a call of `resolve` or `reject`, the first of which counts. */
export class Deferred<Value> {
  resolve!: (value: Value | PromiseLike<Value>) => void;
  reject!: (reason: unknown) => void;
  readonly promise = new Promise<Value>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}
