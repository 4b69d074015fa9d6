/**
 * Owns the markers at both ends of each JNI function. Source: hotspot_jni.d in src/hotspot/os/posix/dtrace, JDK 8 to 25, with the
 * parameters' names of the Java Native Interface Specification. Floating-point numbers are not among the arguments.
 */
const whole = "(Byte|Char|Short|Int|Long)";
const numeric = "(Boolean|Byte|Char|Short|Int|Long|Float|Double)";

export const hotspotJni = String.raw`
AttachCurrentThread(AsDaemon)?__entry vm:hex env:hex options:hex
CreateJavaVM__entry vm:hex env:hex options:hex
GetDefaultJavaVMInitArgs__entry options:hex
GetCreatedJavaVMs__entry vms:hex size count:hex
(DestroyJavaVM|DetachCurrentThread)__entry vm:hex
GetEnv__entry vm:hex env:hex version:hex
GetVersion__return version:hex

DefineClass__entry env:hex name:text loader:hex code:hex size
FindClass__entry env:hex name:text
(GetSuperclass|AllocObject|UnregisterNatives)__entry env:hex class:hex
IsAssignableFrom__entry env:hex class:hex other:hex
RegisterNatives__entry env:hex class:hex methods:hex count
Get(Static)?(Field|Method)ID__entry env:hex class:hex name:text signature:text
FromReflected(Field|Method)__entry env:hex reflected:hex
ToReflectedField__entry env:hex class:hex field:hex static:bool
ToReflectedMethod__entry env:hex class:hex method:hex static:bool

Throw__entry env:hex throwable:hex
ThrowNew__entry env:hex class:hex message:text
FatalError__entry env:hex message:text
Exception(Check|Clear|Describe|Occurred)__entry env:hex

PushLocalFrame__entry env:hex capacity
PopLocalFrame__entry env:hex result:hex
EnsureLocalCapacity__entry env:hex capacity
(New|Delete)(Global|Local|WeakGlobal)Ref__entry env:hex reference:hex

NewObject[AV]?__entry env:hex class:hex constructor:hex
IsInstanceOf__entry env:hex object:hex class:hex
IsSameObject__entry env:hex object:hex other:hex
CallNonvirtual\w+__entry env:hex object:hex class:hex method:hex
CallStatic\w+__entry env:hex class:hex method:hex
Call\w+__entry env:hex object:hex method:hex
GetStatic\w+Field__entry env:hex class:hex field:hex
Get\w+Field__entry env:hex object:hex field:hex
SetStatic(Float|Double)Field__entry env:hex class:hex field:hex
SetStaticBooleanField__entry env:hex class:hex field:hex value:bool
SetStaticObjectField__entry env:hex class:hex field:hex value:hex
SetStatic\w+Field__entry env:hex class:hex field:hex value
Set(Float|Double)Field__entry env:hex object:hex field:hex
SetBooleanField__entry env:hex object:hex field:hex value:bool
SetObjectField__entry env:hex object:hex field:hex value:hex
Set\w+Field__entry env:hex object:hex field:hex value

NewString__entry env:hex characters:hex length
NewStringUTF__entry env:hex characters:text
(GetStringLength|GetStringUTFLength|GetStringUTFLengthAsLong)__entry env:hex string:hex
GetString(Chars|Critical|UTFChars)__entry env:hex string:hex copied:hex
ReleaseString(Chars|Critical)__entry env:hex string:hex characters:hex
ReleaseStringUTFChars__entry env:hex string:hex characters:text
GetString(UTF)?Region__entry env:hex string:hex start length buffer:hex

NewObjectArray__entry env:hex length class:hex initial:hex
New${numeric}Array__entry env:hex length
GetArrayLength__entry env:hex array:hex
GetObjectArrayElement__entry env:hex array:hex index
SetObjectArrayElement__entry env:hex array:hex index value:hex
Get(${numeric}ArrayElements|PrimitiveArrayCritical)__entry env:hex array:hex copied:hex
Release(${numeric}ArrayElements|PrimitiveArrayCritical)__entry env:hex array:hex elements:hex mode
(Get|Set)${numeric}ArrayRegion__entry env:hex array:hex start length buffer:hex

NewDirectByteBuffer__entry env:hex address:hex capacity
GetDirectBuffer(Address|Capacity)__entry env:hex buffer:hex
(MonitorEnter|MonitorExit|GetObjectClass|GetObjectRefType|GetModule|IsVirtualThread)__entry env:hex object:hex
GetJavaVM__entry env:hex vm:hex
GetVersion__entry env:hex

GetStringUTFChars__return result:text
(Call\w*BooleanMethod[AV]?|Get(Static)?BooleanField|ExceptionCheck|Is\w+)__return result:bool
(Call\w*${whole}Method[AV]?|Get(Static)?${whole}Field)__return result
(CreateJavaVM|DestroyJavaVM|AttachCurrentThread(AsDaemon)?|DetachCurrentThread|GetEnv|GetJavaVM)__return result
(GetDefaultJavaVMInitArgs|GetCreatedJavaVMs|RegisterNatives|UnregisterNatives|Throw|ThrowNew)__return result
(PushLocalFrame|EnsureLocalCapacity|MonitorEnter|MonitorExit|GetObjectRefType)__return result
(Get\w+Length|GetStringUTFLengthAsLong|GetDirectBufferCapacity)__return result
\w+__return result:hex
\w+__return
`;
