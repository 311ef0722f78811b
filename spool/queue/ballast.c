#include "ballast.h"
