// The C++ layer over the plugin ABI: derive from Connector, Consumer and Producer, name them in KPS_PLUGIN, done.
// Header-only, C++11 and later. `kps-connector plugin new NAME` writes a project to begin with.
//
//   class Lines : public kps::plugin::Consumer {
//     void next(kps::plugin::Batch &batch, std::chrono::milliseconds timeout) override {
//       if (wait_for_line(timeout)) batch.add(line_);
//     }
//   };
//
// Report a failure by throwing Failure; no exception of any kind leaves the library. The plugin must be built
// with exceptions enabled.
#ifndef KPS_PLUGIN_HPP
#define KPS_PLUGIN_HPP

#include "cpp/batch.hpp"
#include "cpp/connector.hpp"
#include "cpp/failure.hpp"
#include "cpp/host.hpp"
#include "cpp/position.hpp"
#include "cpp/push_consumer.hpp"
#include "cpp/table.hpp"
#include "cpp/text.hpp"
#include "cpp/wait.hpp"
#include "plugin.h"

#endif
