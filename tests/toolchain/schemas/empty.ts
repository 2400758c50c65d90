// The schema before the first migration: nothing.
export {};
