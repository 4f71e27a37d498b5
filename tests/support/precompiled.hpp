#pragma once

#include <caf/test/dsl.hpp>

// Each test has a name of its own for its suite.
#undef CAF_SUITE
