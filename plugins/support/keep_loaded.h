// A library that a plugin is linked with, and that must not be unmapped with the plugin.
#ifndef KPS_PLUGINS_SUPPORT_KEEP_LOADED_H
#define KPS_PLUGINS_SUPPORT_KEEP_LOADED_H

namespace kps::plugins {

// The library that holds `symbol` stays in the process to its end: one whose own threads outlive every call of it, and
// cannot be ended without ending them for its other users. The plugin itself is not held. Throws Failure,
// FAILED_PRECONDITION: the loader does not do it.
void keep_loaded(const void* symbol);

}  // namespace kps::plugins

#endif
