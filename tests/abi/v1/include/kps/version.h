/* The one place where versions are written: CMake, the programs and the documents read them here. */
#ifndef KPS_VERSION_H
#define KPS_VERSION_H

/* Version of the project: the host, the client and the bundled plugins. */
#define KPS_VERSION_MAJOR 0
#define KPS_VERSION_MINOR 1
#define KPS_VERSION_PATCH 0

/* Version of the plugin ABI. Fields and table members are appended without changing it; it changes only
 * with the entry symbol's name, when old plugins could no longer work. */
#define KPS_ABI_VERSION 1

#endif
