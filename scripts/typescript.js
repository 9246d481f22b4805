// Loaded with `node --import` before a TypeScript file. Node runs TypeScript itself from 22.18 on, and starts twice as fast that way.
if (!process.features.typescript) await import('tsx')
