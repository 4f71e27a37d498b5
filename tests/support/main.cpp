#define CAF_SUITE main

#include <caf/test/unit_test_impl.hpp>
