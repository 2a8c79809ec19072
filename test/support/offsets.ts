export const range = (count: number) => Array.from({ length: count }, (_, i) => i);
export const ascending = (values: number[]) => [...values].sort((a, b) => a - b);
