/**
 * A package that only some users of this library need: an optional peer dependency.
 *
 * If it is installed, it is loaded at once, with the module that needs it. In a bundle nothing is installed; there a dynamic
 * import, whose specifier stands written out for bundlers to see, brings it a moment later. Only when that has failed too is the
 * package missing. In a bundle of one file the package may come behind the application's own top level, and so behind all that this
 * waits for: until then it is looked for again whenever it is needed.
 */

// Not by its name: bundles of ES modules get a `createRequire` of their own, and webpack rewrites calls of this one.
import * as nodeModule from 'node:module';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MissingDependencyError } from '../errors/index.ts';

export interface OptionalPackageOptions {
  readonly name: string;
  /** The entry of this library that needs it. */
  readonly neededFor: string;
  /** The versions that will do, as npm writes them. */
  readonly versions: string;
  /** Whether the installed version will do. Default: any. */
  readonly accepts?: ((version: string) => boolean) | undefined;
  /** `() => import('<name>')`. */
  readonly load: () => Promise<unknown>;
  /** Called once with what the package exports, as `require` gives it, as soon as that is there. */
  readonly onLoaded: (exports: unknown) => void;
}

export class OptionalPackage {
  readonly #options: OptionalPackageOptions;
  /** Makes a new error for each call, so that each has a stack of its own. */
  #makeError: (() => MissingDependencyError) | undefined;
  #loading: Promise<void> | undefined;
  #isNotRunYet = false;

  constructor(options: OptionalPackageOptions) {
    this.#options = options;
    if (!this.#loadInstalled()) this.#loading = this.#import();
  }

  /** Looks for it. Settles when it is known whether it is there by now, and never rejects. Undefined if that is known for good. */
  look(): Promise<void> | undefined {
    if (this.#isNotRunYet) this.#loading = this.#import();
    return this.#loading;
  }

  /** Set if the package is missing, cannot be loaded, is of a version that will not do, or has not come yet. */
  get makeError(): (() => MissingDependencyError) | undefined {
    return this.#makeError;
  }

  async #import(): Promise<void> {
    const { name, load, onLoaded } = this.#options;
    this.#isNotRunYet = false;
    try {
      const module = await load();
      if (module === undefined) return this.#missForNow();
      this.#makeError = undefined;
      onLoaded(exportsOf(module));
    } catch (cause) {
      if (isOfTopLevel(cause)) this.#missForNow(cause);
      else this.#fail(isMissing(name, cause) ? notInstalled(name) : unloadable(cause), cause);
    } finally {
      this.#loading = undefined;
    }
  }

  /** @returns False if nothing is known yet. */
  #loadInstalled(): boolean {
    const { name, accepts, versions, onLoaded } = this.#options;
    let loaded: unknown;
    let load: NodeJS.Require | undefined;
    try {
      load = nodeModule.createRequire(import.meta.url);
      loaded = load(name);
      const version = accepts && versionOf(name, load);
      if (version !== undefined && !accepts!(version)) {
        this.#fail(`but ${version} is installed. Run: npm install "${name}@${versions}"`);
        return true;
      }
    } catch (cause) {
      // Whatever else it is, the import says.
      if (!isMissing(name, cause) || load === undefined || !isInstalledOurselves(load)) return false;
      this.#fail(notInstalled(name), cause);
      return true;
    }
    onLoaded(exportsOf(loaded));
    return true;
  }

  /** No warning: it may well be there when it is needed. */
  #missForNow(cause?: unknown): void {
    this.#isNotRunYet = true;
    this.#setError(notRunYet(this.#options.name), cause);
  }

  #fail(problem: string, cause?: unknown): void {
    // Said at once: the first call that fails for it may come much later.
    process.emitWarning(this.#setError(problem, cause)().message);
  }

  #setError(problem: string, cause: unknown): () => MissingDependencyError {
    const { name, neededFor, versions } = this.#options;
    this.#makeError = () => new MissingDependencyError(name, neededFor, versions, { problem, cause });
    return this.#makeError;
  }
}

function versionOf(name: string, load: NodeJS.Require): string | undefined {
  try {
    return load(`${name}/package.json`).version;
  } catch {
    return undefined; // It keeps that to itself.
  }
}

/** The exports of CommonJS: in ES modules they are the default export, and some bundlers wrap them once more. */
function exportsOf(module: unknown): unknown {
  return (module as { default?: unknown }).default ?? module;
}

/** True if this very file is one of our installed package, and not of a bundle: what is not found from here is not there. */
function isInstalledOurselves(load: NodeJS.Require): boolean {
  try {
    return import.meta.url.startsWith(`${pathToFileURL(dirname(load.resolve('shardring/package.json'))).href}/`);
  } catch {
    return false;
  }
}

function isMissing(name: string, cause: unknown): boolean {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  return code.endsWith('MODULE_NOT_FOUND') && message.includes(`'${name}'`);
}

const notInstalled = (name: string) => `which is not installed. Run: npm install ${name}`;

const notRunYet = (name: string) =>
  `which this bundle loads only after its top level has ended. To use it there, begin your entry with: import '${name}'`;

const unloadable = (cause: unknown) => `which could not be loaded: ${(cause as Error).message}`;

/** A dynamically imported module comes behind a top level that waits, and is not initialised until then. */
const isOfTopLevel = (cause: unknown) =>
  cause instanceof ReferenceError && cause.message.includes('before initialization');
