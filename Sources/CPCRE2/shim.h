// PCRE2 for texts of bytes: its functions end in _8.
#pragma once
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
