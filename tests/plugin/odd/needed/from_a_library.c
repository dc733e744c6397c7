/* The library that needs_library.c needs. */
__attribute__((visibility("default"))) int from_a_library(void);
int from_a_library(void) { return 1; }
