#include "housekeeping.h"
