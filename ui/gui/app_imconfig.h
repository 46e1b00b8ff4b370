// Dear ImGui's compile-time configuration, seen by every file that includes imgui.h.
#pragma once

#define IMGUI_DISABLE_OBSOLETE_FUNCTIONS
#define IMGUI_USE_WCHAR32
#define ImDrawIdx unsigned int  // a tree of 1,024 nodes passes 65,536 vertices in one draw list

// Hooks of the test engine: tests only, see CMakeLists.txt.
#ifdef DS_WITH_TEST_ENGINE
#define IMGUI_TEST_ENGINE_ENABLE_COROUTINE_STDTHREAD_IMPL 1
#define IMGUI_TEST_ENGINE_ENABLE_STD_FUNCTION 1
#include "imgui_te_imconfig.h"
#endif
